import { withBase } from '../base-path';
import { CodeBlock } from '../parts/code-block';
import { uploadCommand } from '../parts/command-examples';
import { useTitle } from '../parts/use-title';
import { SignOutButtons } from '../shell/account-menu';

/** All that someone sees with the token of an uploader: every other page would be full of refusals. */
export function UploaderPage() {
  useTitle('Uploader');
  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <img src={withBase('/favicon.svg')} alt="" width="40" height="40" />
        <h1>This token uploads firmware</h1>
        <p>
          You have signed in as an uploader. An uploader sends builds from CI and cannot look at the fleet.
          Sign in as a viewer or admin to see it.
        </p>
        <CodeBlock label="How it is used" text={uploadCommand('thermostat', true)} />
        <SignOutButtons />
      </div>
    </main>
  );
}
