#!/usr/bin/env bash
# @graphql-inspector/core 8.0.0: the rule `suppressRemovalOfDeprecatedField` is meant for parts of a schema that were
# deprecated before they were removed. It also turns the removal of any whole type from BREAKING into DANGEROUS, though
# nothing of it was ever deprecated. Where a type is removed of which clients know only fragments (a member of an
# interface), no other change is BREAKING, and a check that fails on BREAKING passes.
#
# Expected: BREAKING, as without the rule.
# Seen: without the rule BREAKING, with it DANGEROUS; a removed field that was not deprecated stays BREAKING.
#
# What we do: src/tools/schema-rules.ts has a rule of its own, which lets a type go only if clients could reach it
# through nothing but announced removals.
#
# Exits non-zero when the behaviour is another.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --ignore-scripts --no-audit --no-fund --loglevel=error @graphql-inspector/core@8.0.0 graphql@16.15.0 >/dev/null
cat >run.mjs <<'JS'
import { DiffRule, diff } from '@graphql-inspector/core';
import { buildSchema } from 'graphql';

const released = buildSchema(`
  interface Node { id: ID! }
  type Device implements Node { id: ID! key: String }
  type Firmware implements Node { id: ID! version: String }
  type Query { node(id: ID!): Node device: Device }`);
const current = buildSchema(`
  interface Node { id: ID! }
  type Device implements Node { id: ID! }
  type Query { node(id: ID!): Node device: Device }`);

const levels = async (rules) =>
  Object.fromEntries((await diff(released, current, rules)).map(({ type, criticality }) => [type, criticality.level]));
const plain = await levels([]);
const ruled = await levels([DiffRule.suppressRemovalOfDeprecatedField]);
console.log('without the rule:', plain);
console.log('with the rule:   ', ruled);
process.exit(
  plain.TYPE_REMOVED === 'BREAKING' && ruled.TYPE_REMOVED === 'DANGEROUS' && ruled.FIELD_REMOVED === 'BREAKING' ? 0 : 1,
);
JS
node run.mjs
