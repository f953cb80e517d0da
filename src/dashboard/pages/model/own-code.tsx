import { useEffect, useState } from 'react';
import { useQuery } from 'urql';
import { useSearchParams } from 'wouter';
import { useLive } from '../../api/live';
import { graphql } from '../../generated';
import type { OwnCodeOnPageFragment, OwnCodeRuleInput } from '../../generated/graphql';
import { Dialog } from '../../parts/dialog';
import { ForAdmins } from '../../session/role';
import { OwnCodeForm } from './own-code-form';

graphql(`
  fragment OwnCodeOnPage on DeviceModel {
    id code name
    ownCodeRules { kind pattern isOwn }
    ownCodeRegrouping { total done finishedAt }
  }
`);
const OwnCodeProgress = graphql(`
  query OwnCodeProgressOnPage($code: String!) { deviceModel(code: $code) { id ownCodeRegrouping { total done finishedAt } } }
`);

/** Which code is a model's own: what titles, groups and backtraces point to. */
export function OwnCode({ model }: { model: OwnCodeOnPageFragment }) {
  const [parameters, setParameters] = useSearchParams();
  const asked = ruleIn(parameters);
  const [isOpen, setOpen] = useState(false);

  function close() {
    setOpen(false);
    if (asked !== null) setParameters(withoutRule, { replace: true });
  }

  return (
    <section className="card" aria-labelledby="own-code">
      <header className="card-head">
        <h2 id="own-code">Own code</h2>
        <ForAdmins>
          <button type="button" className="quiet-button" onClick={() => setOpen(true)}>
            Change rules
          </button>
        </ForAdmins>
      </header>
      <Progress model={model} />
      {model.ownCodeRules.length === 0 ? (
        <p className="own-code-rules hint">
          No rules: all code is own but system functions of ESP-IDF, FreeRTOS and the libraries.
        </p>
      ) : (
        <ol className="own-code-rules">
          {model.ownCodeRules.map((rule) => (
            <li key={`${rule.kind} ${rule.pattern} ${rule.isOwn}`}>
              <span className="mono">{rule.pattern}</span> {rule.kind === 'FUNCTION' && 'functions are '}
              {rule.isOwn ? 'own' : 'not own'}
            </li>
          ))}
        </ol>
      )}
      <ForAdmins>
        <Dialog title={`Own code of ${model.name}`} isOpen={isOpen || asked !== null} onClose={close}>
          <OwnCodeForm model={model} added={asked} onClose={close} />
        </Dialog>
      </ForAdmins>
    </section>
  );
}

/** A frame's menu leads here with a rule in the address. */
function ruleIn(parameters: URLSearchParams): OwnCodeRuleInput | null {
  const kind = parameters.get('rule');
  const pattern = parameters.get('pattern');
  if ((kind !== 'PATH' && kind !== 'FUNCTION') || pattern === null) return null;
  return { kind, pattern, isOwn: parameters.get('own') === 'true' };
}

function withoutRule(before: URLSearchParams): URLSearchParams {
  const next = new URLSearchParams(before);
  for (const name of ['rule', 'pattern', 'own']) next.delete(name);
  return next;
}

const ASK_EVERY_MS = 1_000;

/** How far a change of the rules has come; nothing when it is done. */
function Progress({ model }: { model: OwnCodeOnPageFragment }) {
  const { readAgain } = useLive();
  const isRunning = model.ownCodeRegrouping != null && model.ownCodeRegrouping.finishedAt == null;
  const [{ data }, ask] = useQuery({
    query: OwnCodeProgress,
    variables: { code: model.code },
    pause: !isRunning,
    requestPolicy: 'network-only',
  });
  const run = data?.deviceModel?.ownCodeRegrouping ?? model.ownCodeRegrouping;
  const isDone = isRunning && run?.finishedAt != null;
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(() => ask({ requestPolicy: 'network-only' }), ASK_EVERY_MS);
    return () => clearInterval(timer);
  }, [isRunning, ask]);
  useEffect(() => {
    if (isDone) readAgain();
  }, [isDone, readAgain]);
  if (!isRunning || run == null) return null;
  return (
    <p className="own-code-rules" role="status">
      Regrouping stored dumps: {run.done.toLocaleString('en')} of {run.total.toLocaleString('en')}{' '}
      <progress aria-label="Regrouping" max={Math.max(run.total, 1)} value={run.done} />
    </p>
  );
}
