import { useEffect, useState } from 'react';
import { useLiveQuery } from '../../api/use-live-query';
import { graphql } from '../../generated';
import type { AlertDeliveryInLogFragment } from '../../generated/graphql';
import { useAction } from '../../parts/use-action';

graphql(`
  fragment AlertDeliveryInLog on AlertDelivery {
    id event subject status heldUntil attempts httpStatus error createdAt deliveredAt
    crashGroup { id }
  }
`);
const AlertLog = graphql(`
  query AlertLog($ruleId: ID!) {
    alertDeliveries(filter: { ruleId: [$ruleId] }, first: 100) { nodes { ...AlertDeliveryInLog } }
  }
`);
const TestAlertRule = graphql(`
  mutation TestAlertRule($id: ID!) { testAlertRule(input: { id: $id }) { alertDelivery { id } } }
`);

/** A test is sent once, without delay; other deliveries may wait hours for their next attempt. */
const TEST_POLL_MS = 500;
const POLL_MS = 10_000;

/** A rule's log, which is polled while a delivery is pending, and the result of a test that was started here. */
export function useAlertTest(ruleId: string) {
  const [testId, setTestId] = useState<string | null>(null);
  const { run, isRunning } = useAction(TestAlertRule);
  const { data, error, readAgain } = useLiveQuery(AlertLog, { ruleId });
  const deliveries = data?.alertDeliveries.nodes;
  const tested = deliveries?.find(({ id }) => id === testId);

  const pending = (deliveries ?? []).filter(({ status }) => status === 'PENDING' || status === 'HELD');
  const isTestPending = pending.some(({ event }) => event === 'TEST');
  const pollMs = isTestPending ? TEST_POLL_MS : pending.length > 0 ? POLL_MS : null;
  useEffect(() => {
    if (pollMs === null) return;
    const timer = window.setInterval(readAgain, pollMs);
    return () => window.clearInterval(timer);
  }, [pollMs, readAgain]);

  async function test() {
    const answer = await run({ id: ruleId });
    if (answer !== undefined) setTestId(answer.testAlertRule.alertDelivery.id);
  }
  return {
    deliveries,
    error,
    test: () => void test(),
    isTesting: isRunning || (testId !== null && (tested === undefined || tested.status === 'PENDING')),
    outcome: tested === undefined ? null : outcomeOf(tested),
  };
}

function outcomeOf({ status, httpStatus, error }: AlertDeliveryInLogFragment) {
  switch (status) {
    case 'HELD':
    case 'PENDING':
    case 'DIGESTED':
      return { tone: undefined, text: 'The test is being sent…' };
    case 'DELIVERED':
      return { tone: 'ok', text: deliveredText({ httpStatus, error }) };
    case 'FAILED':
      return { tone: 'danger', text: `The test was not delivered: ${error ?? 'unknown error'}.` };
  }
}

/** A mail may arrive at some of its recipients only. */
function deliveredText({
  httpStatus,
  error,
}: Pick<AlertDeliveryInLogFragment, 'httpStatus' | 'error'>): string {
  const how = httpStatus == null ? 'the mail server took it' : `the target answered ${httpStatus}`;
  return error == null ? `The test was delivered: ${how}.` : `The test was delivered, but ${error}.`;
}
