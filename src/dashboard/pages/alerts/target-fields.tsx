import type { AlertFormat, AlertRuleInListFragment } from '../../generated/graphql';
import { Field } from '../../parts/field';
import { PLACEHOLDERS, TargetHint } from './target-hints';

/** Where the alerts go: an address, or people. */
export function TargetFields({
  rule,
  format,
}: {
  rule: AlertRuleInListFragment | undefined;
  format: AlertFormat;
}) {
  if (format === 'MAIL') {
    return (
      <>
        <Field
          label="Recipients"
          name="recipients"
          type="text"
          required
          maxLength={5200}
          defaultValue={rule?.recipients.join(', ')}
          placeholder="oncall@example.org, lead@example.org"
          hint="Mail addresses, separated by commas: 20 at most"
        />
        <TargetHint format={format} />
      </>
    );
  }
  const hasAddress = rule !== undefined && rule.format !== 'MAIL';
  return (
    <>
      <Field
        label={hasAddress ? 'New address' : 'Address'}
        name="url"
        type="url"
        required={!hasAddress}
        maxLength={2000}
        placeholder={hasAddress ? `${rule.target}/…` : PLACEHOLDERS[format]}
        hint={
          hasAddress
            ? 'Empty: the address does not change.'
            : 'It may be a secret: afterwards the page shows only its host.'
        }
      />
      {format === 'NTFY' && (
        <Field
          label="Access token"
          name="accessToken"
          type="password"
          autoComplete="off"
          maxLength={200}
          placeholder={rule?.hasAccessToken === true ? '••••••••' : 'tk_…'}
          hint={
            rule?.hasAccessToken === true
              ? 'Empty: it does not change.'
              : 'Only for a protected topic. It is never shown again.'
          }
        />
      )}
      <TargetHint format={format} />
    </>
  );
}
