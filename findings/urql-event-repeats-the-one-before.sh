#!/usr/bin/env bash
# @urql/core 6.0.3 with a subscription: an event that has errors and no data is given with the data of the event before
# it, and every later event without errors is given with those errors, as if each had failed. A first event with
# `errors: []`, which graphql's types allow and wrappers of graphql-ws write, is given with an error; a second is not.
#
# Expected: each event by itself, as graphql-ws and graphql-sse give it: `data` null, and errors only with the event that
# has them.
# Seen: the data of event 1 with event 2, the error of event 2 with event 3; an error without a message for `errors: []`.
# The cause is that all results of a subscription are merged like the parts of an incremental answer.
#
# What we do: the page takes nothing from an event with an error; it subscribes again and reads what it shows
# (src/dashboard/api/live.tsx), and leaves out an empty list (src/dashboard/api/client.ts). docs/api.md tells others.
#
# Exits non-zero when the behaviour is another.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --ignore-scripts --no-audit --no-fund --loglevel=error @urql/core@6.0.3 graphql@16.15.0 >/dev/null
cat >run.mjs <<'JS'
import { Client, subscriptionExchange } from '@urql/core';

/** What a subscriber is given for these events. */
async function givenFor(events) {
  const forwardSubscription = () => ({
    subscribe(sink) {
      for (const event of events) sink.next(event);
      return { unsubscribe() {} };
    },
  });
  const client = new Client({
    url: 'http://localhost/graphql',
    preferGetMethod: false,
    exchanges: [subscriptionExchange({ forwardSubscription })],
  });
  const given = [];
  client.subscription('subscription { dump }', {}).subscribe(({ data, error }) => {
    given.push(`${data?.dump ?? null} ${error === undefined ? 'without error' : `with error "${error.message}"`}`);
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  return given;
}

const failing = await givenFor([
  { data: { dump: 1 } },
  { data: null, errors: [{ message: 'not now' }] },
  { data: { dump: 3 } },
]);
const empty = await givenFor([{ data: { dump: 1 }, errors: [] }, { data: { dump: 2 }, errors: [] }]);
console.log('an event that fails:', failing);
console.log('empty lists of errors:', empty);
const isAsSeen =
  JSON.stringify(failing) ===
    JSON.stringify(['1 without error', '1 with error "[GraphQL] not now"', '3 with error "[GraphQL] not now"']) &&
  JSON.stringify(empty) === JSON.stringify(['1 with error ""', '2 without error']);
process.exit(isAsSeen ? 0 : 1);
JS
node run.mjs
