import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  getOperationAST,
  Kind,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { isReader } from '../../auth/principal.js';
import type { Context } from '../schema/context.js';

/**
 * All fields that an uploader may use: the mutation, its answer as far as it is about the uploaded build, and `viewer`.
 * From a build the schema leads to its model, and from there to the whole fleet, so nothing is open that is not here.
 */
const FIELDS: ReadonlySet<string> = new Set([
  'Query.viewer',
  ...['name', 'role', 'canMutate', 'firmwareModels', 'expiresAt'].map((name) => `Viewer.${name}`),
  'Mutation.uploadFirmware',
  ...['firmware', 'warnings', 'clientMutationId'].map((name) => `UploadFirmwarePayload.${name}`),
  ...['id', 'version', 'elfVersion', 'chip', 'elfSha256', 'size', 'revision', 'model', 'warnings'].map(
    ofFirmware,
  ),
  ...['uploadedAt', 'updatedAt', 'elfLostAt'].map(ofFirmware),
  ...['id', 'code', 'name'].map((name) => `DeviceModel.${name}`),
  ...['code', 'message'].map((name) => `ReportWarning.${name}`),
]);

/** Refuses an uploader's operation that asks for anything else, before any of it runs. */
export const limitUploaders: Plugin<Context> = {
  onExecute: ({ args, setResultAndStopExecution }) => refuse(args, setResultAndStopExecution),
  onSubscribe: ({ args, setResultAndStopExecution }) => refuse(args, setResultAndStopExecution),
};

function refuse(
  args: ExecutionArgs & { contextValue: Context },
  stop: (result: ExecutionResult) => void,
): void {
  if (isReader(args.contextValue.person)) return;
  const field = forbiddenField(args);
  if (field === null) return;
  const message = `An uploader may not use ${field}: it may only upload firmware, and read what uploadFirmware answers about it.`;
  // The status that a device gets, too: nothing of the operation has run.
  stop({ errors: [new GraphQLError(message, { extensions: { code: 'FORBIDDEN', http: { status: 403 } } })] });
}

/** Fragments that the operation does not use count too. */
function forbiddenField({ schema, document, operationName }: ExecutionArgs): string | null {
  // The executor says what is wrong with the name.
  const operation = getOperationAST(document, operationName);
  if (operation == null) return null;
  const fragments = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION);
  const alone: DocumentNode = { kind: Kind.DOCUMENT, definitions: [operation, ...fragments] };
  const types = new TypeInfo(schema);
  let forbidden: string | null = null;
  visit(
    alone,
    visitWithTypeInfo(types, {
      Field(node) {
        const name = `${types.getParentType()?.name ?? '?'}.${node.name.value}`;
        if (node.name.value !== '__typename' && !FIELDS.has(name)) forbidden ??= name;
      },
    }),
  );
  return forbidden;
}

function ofFirmware(name: string): string {
  return `Firmware.${name}`;
}
