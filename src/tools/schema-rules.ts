/** What a change of the GraphQL schema must keep: `docs/api.md` has the policy for people. */

import { ChangeType, CriticalityLevel, diff, type Rule } from '@graphql-inspector/core';
import {
  type GraphQLArgument,
  type GraphQLNamedType,
  type GraphQLSchema,
  type GraphQLType,
  getNamedType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isSpecifiedScalarType,
} from 'graphql';

/** The places without a description: `Device.key`, `Query.device(key:)`, `ParseStatus.PENDING`. */
export function undescribedPlaces(schema: GraphQLSchema): string[] {
  return Object.values(schema.getTypeMap())
    .filter((type) => !type.name.startsWith('__') && !isSpecifiedScalarType(type))
    .flatMap((type) => [...undescribed(type.name, type), ...membersOf(type)])
    .sort();
}

/**
 * The changes that break a client of the released schema, one sentence each. What is removed must have been deprecated
 * in the release, and the date in its reason must have passed.
 *
 * @param today as `2026-11-28`
 */
export async function breakingChanges(
  released: GraphQLSchema,
  current: GraphQLSchema,
  today: string,
): Promise<string[]> {
  const changes = await diff(released, current, [allowAnnouncedRemovals(today)]);
  return changes
    .filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking)
    .map(({ message }) => message);
}

/** Deprecations whose reason does not say from when on they may be removed. */
export function deprecationsWithoutDate(schema: GraphQLSchema): string[] {
  return Object.values(schema.getTypeMap())
    .flatMap(deprecationsOf)
    .filter(({ reason }) => removalDateIn(reason) === null)
    .map(({ place }) => place);
}

function membersOf(type: GraphQLNamedType): string[] {
  if (isEnumType(type)) {
    return type.getValues().flatMap((value) => undescribed(`${type.name}.${value.name}`, value));
  }
  if (isInputObjectType(type)) {
    return Object.values(type.getFields()).flatMap((field) =>
      undescribed(`${type.name}.${field.name}`, field),
    );
  }
  if (isObjectType(type) || isInterfaceType(type)) {
    return Object.values(type.getFields()).flatMap((field) => {
      const place = `${type.name}.${field.name}`;
      return [...undescribed(place, field), ...field.args.flatMap((arg) => ofArgument(place, arg))];
    });
  }
  return [];
}

function ofArgument(place: string, argument: GraphQLArgument): string[] {
  return undescribed(`${place}(${argument.name}:)`, argument);
}

function undescribed(place: string, { description }: { description?: string | null | undefined }): string[] {
  return description == null || description.trim() === '' ? [place] : [];
}

interface Deprecation {
  place: string;
  reason: string;
}

function deprecationsOf(type: GraphQLNamedType): Deprecation[] {
  if (isEnumType(type))
    return type.getValues().flatMap((value) => deprecation(`${type.name}.${value.name}`, value));
  if (isInputObjectType(type)) {
    return Object.values(type.getFields()).flatMap((field) =>
      deprecation(`${type.name}.${field.name}`, field),
    );
  }
  if (!isObjectType(type) && !isInterfaceType(type)) return [];
  return Object.values(type.getFields()).flatMap((field) => {
    const place = `${type.name}.${field.name}`;
    const ofArguments = field.args.flatMap((arg) => deprecation(`${place}(${arg.name}:)`, arg));
    return [...deprecation(place, field), ...ofArguments];
  });
}

function deprecation(
  place: string,
  { deprecationReason }: { deprecationReason?: string | null | undefined },
): Deprecation[] {
  return deprecationReason == null ? [] : [{ place, reason: deprecationReason }];
}

/** The date in `Use orderBy. To be removed after 2027-06-01.` */
function removalDateIn(reason: string): string | null {
  return /To be removed after (\d{4}-\d{2}-\d{2})\./.exec(reason)?.[1] ?? null;
}

/** Removals that were announced, and of types that clients could reach only through what was announced, break nobody. */
function allowAnnouncedRemovals(today: string): Rule {
  return ({ changes, oldSchema }) => {
    if (oldSchema === null) return changes;
    const announced = new Set(
      Object.values(oldSchema.getTypeMap())
        .flatMap(deprecationsOf)
        .filter(({ reason }) => (removalDateIn(reason) ?? '9999-12-31') < today)
        .map(({ place }) => pathOf(place)),
    );
    const inUse = typesInUse(oldSchema, announced);
    return changes.map((change) => {
      const path = change.path ?? '';
      const isAllowed =
        change.type === ChangeType.TypeRemoved
          ? !inUse.has(path)
          : announced.has(path) && isRemoval(change.type);
      return isAllowed
        ? { ...change, criticality: { ...change.criticality, level: CriticalityLevel.Dangerous } }
        : change;
    });
  };
}

const isRemoval = (changeType: string) => changeType.endsWith('_REMOVED');

/** `Query.device(key:)` as the inspector writes it. */
const pathOf = (place: string) => place.replace(/\((.+):\)$/, '.$1');

/** Names of the types that operations reach without the places in `except`. */
function typesInUse(schema: GraphQLSchema, except: ReadonlySet<string>): Set<string> {
  const reached = new Set<string>();
  const open: GraphQLNamedType[] = [
    schema.getQueryType(),
    schema.getMutationType(),
    schema.getSubscriptionType(),
  ].filter((root) => root != null);
  for (let type = open.pop(); type !== undefined; type = open.pop()) {
    if (reached.has(type.name)) continue;
    reached.add(type.name);
    if (isAbstractType(type)) open.push(...schema.getPossibleTypes(type));
    if (isObjectType(type)) open.push(...type.getInterfaces());
    if (!isObjectType(type) && !isInterfaceType(type) && !isInputObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      const place = `${type.name}.${field.name}`;
      if (except.has(place)) continue;
      open.push(namedType(field.type));
      const args = 'args' in field ? field.args : [];
      for (const arg of args) if (!except.has(`${place}.${arg.name}`)) open.push(namedType(arg.type));
    }
  }
  return reached;
}

/** `getNamedType` has no overload for both kinds of types. */
function namedType(type: GraphQLType): GraphQLNamedType {
  return getNamedType(type);
}
