import { readFileSync } from 'node:fs';
import { buildSchema, findBreakingChanges, lexicographicSortSchema, printSchema } from 'graphql';
import { expect, it } from 'vitest';
import { schema } from '../../src/graphql/schema/schema.js';

/** What dashboards may rely on. Types and fields may be added to the schema; nothing here may go or change. */
const CONTRACT = buildSchema(`
  scalar DateTime
  scalar Upload
  enum ParseStatus { PENDING PARSED ERROR }
  interface Node { id: ID! }

  type Query {
    node(id: ID!): Node
    deviceModels(first: Int, after: String): DeviceModelConnection
    deviceModel(code: String!): DeviceModel
    devices(first: Int, after: String, filter: DeviceFilter): DeviceConnection
    device(key: String!): Device
    coredumps(first: Int, after: String, filter: CoredumpFilter, orderBy: CoredumpOrder): CoredumpConnection
    coredump(id: ID!): Coredump
    firmwares(first: Int, after: String, filter: FirmwareFilter, orderBy: FirmwareOrder): FirmwareConnection
    firmware(id: ID!): Firmware
  }

  type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
  type DeviceModelConnection { edges: [DeviceModelEdge!]! nodes: [DeviceModel!]! pageInfo: PageInfo! totalCount: Int! }
  type DeviceModelEdge { cursor: String! node: DeviceModel! }
  type FirmwareConnection { edges: [FirmwareEdge!]! nodes: [Firmware!]! pageInfo: PageInfo! totalCount: Int! }
  type FirmwareEdge { cursor: String! node: Firmware! }
  type DeviceConnection { edges: [DeviceEdge!]! nodes: [Device!]! pageInfo: PageInfo! totalCount: Int! }
  type DeviceEdge { cursor: String! node: Device! }
  type CoredumpConnection { edges: [CoredumpEdge!]! nodes: [Coredump!]! pageInfo: PageInfo! totalCount: Int! }
  type CoredumpEdge { cursor: String! node: Coredump! }

  type DeviceModel implements Node {
    id: ID! code: String! name: String!
    firmwares(first: Int, after: String): FirmwareConnection!
    devices(first: Int, after: String): DeviceConnection!
  }
  type Firmware implements Node {
    id: ID! model: DeviceModel! version: String! chip: String elfSha256: String! size: Int! uploadedAt: DateTime!
    coredumpCount: Int! updatedAt: DateTime! coredumps(first: Int, after: String, filter: CoredumpFilter): CoredumpConnection!
  }
  type Device implements Node {
    id: ID! key: String! name: String model: DeviceModel! createdAt: DateTime! updatedAt: DateTime!
    coredumps(first: Int, after: String, filter: CoredumpFilter): CoredumpConnection!
    coredump(id: ID!): Coredump
    coredumpCount: Int!
    lastCoredump: Coredump
  }
  type Coredump implements Node {
    id: ID! device: Device! firmware: Firmware filename: String! chip: String! firmwareVersion: String! size: Int!
    sha256: String! parseStatus: ParseStatus! parseAttempts: Int! parsedOutput: String report: CrashReport
    uploadedAt: DateTime! parsedAt: DateTime downloadUrl: String!
    kind: CoredumpKind! updatedAt: DateTime! reason: String crashKind: CrashKind crashedTask: String
    chosenFirmware: Firmware
  }
  input DeviceFilter { modelCode: [String!] }
  input CoredumpFilter {
    parseStatus: [ParseStatus!] chip: [String!] firmwareVersion: [String!] deviceKey: [String!] modelCode: [String!]
    uploadedAfter: DateTime uploadedBefore: DateTime search: String
    id: [ID!] kind: [CoredumpKind!] deviceId: [ID!] firmwareId: [ID!] crashGroupId: [ID!] fingerprint: [String!]
    crashKind: [CrashKind!] crashedTask: [String!] reason: String hasRaw: Boolean
    parsedAfter: DateTime parsedBefore: DateTime
  }
  enum CoredumpKind { CORE_DUMP }
  enum CrashKind { ABORT ASSERT STACK_OVERFLOW OTHER }
  enum OrderDirection { ASC DESC }
  enum CoredumpOrderField { UPLOADED_AT }
  input CoredumpOrder { field: CoredumpOrderField! direction: OrderDirection! = DESC }
  enum FirmwareOrderField { UPLOADED_AT }
  input FirmwareOrder { field: FirmwareOrderField! direction: OrderDirection! = DESC }
  input FirmwareFilter {
    modelCode: [String!] version: [String!] chip: [String!] elfSha256: [String!]
    uploadedAfter: DateTime uploadedBefore: DateTime search: String isLost: Boolean
  }

  type CrashReport {
    reason: String! crashedTask: String appElfSha256: String elfMatches: Boolean! registers: [Register!]!
    tasks: [CrashTask!]!
  }
  type Register { name: String! value: String! }
  type CrashTask {
    name: String! tcb: String! crashed: Boolean! priority: Int stackUsed: Int stackFree: Int frames: [StackFrame!]!
  }
  type StackFrame {
    index: Int! pc: String! function: String file: String line: Int inlined: Boolean! arguments: [FrameArgument!]!
  }
  type FrameArgument { name: String! value: String! }

  type Mutation {
    createDeviceModel(input: CreateDeviceModelInput!): CreateDeviceModelPayload
    createDevice(input: CreateDeviceInput!): CreateDevicePayload
    updateDevice(input: UpdateDeviceInput!): UpdateDevicePayload
    deleteDevice(input: DeleteDeviceInput!): DeleteDevicePayload
    uploadFirmware(input: UploadFirmwareInput!): UploadFirmwarePayload
    deleteFirmware(input: DeleteFirmwareInput!): DeleteFirmwarePayload
    deleteCoredump(input: DeleteCoredumpInput!): DeleteCoredumpPayload
    deleteCoredumps(input: DeleteCoredumpsInput!): DeleteCoredumpsPayload
    reparseCoredump(input: ReparseCoredumpInput!): ReparseCoredumpPayload
    reparseCoredumps(input: ReparseCoredumpsInput!): ReparseCoredumpsPayload
    parseCoredump(input: ParseCoredumpInput!): ParseCoredumpPayload
    updateFirmware(input: UpdateFirmwareInput!): UpdateFirmwarePayload
  }
  input CreateDeviceModelInput { clientMutationId: ID code: String! name: String! }
  input CreateDeviceInput { clientMutationId: ID modelCode: String! key: String name: String }
  input UpdateDeviceInput { clientMutationId: ID id: ID! name: String }
  input DeleteDeviceInput { clientMutationId: ID id: ID! }
  input UploadFirmwareInput { clientMutationId: ID modelCode: String! bundle: Upload! version: String }
  input DeleteFirmwareInput { clientMutationId: ID id: ID! }
  input DeleteCoredumpInput { clientMutationId: ID id: ID! deviceId: ID }
  input DeleteCoredumpsInput { clientMutationId: ID deviceId: ID filter: CoredumpFilter }
  input ParseCoredumpInput { clientMutationId: ID id: ID! firmwareId: ID! }
  input UpdateFirmwareInput { clientMutationId: ID id: ID! version: String }
  type ParseCoredumpPayload { clientMutationId: ID coredump: Coredump! }
  type UpdateFirmwarePayload { clientMutationId: ID firmware: Firmware! }
  input ReparseCoredumpInput { clientMutationId: ID id: ID! }
  input ReparseCoredumpsInput { clientMutationId: ID filter: CoredumpFilter! }
  type CreateDeviceModelPayload { clientMutationId: ID deviceModel: DeviceModel! }
  type CreateDevicePayload { clientMutationId: ID device: Device! token: String! }
  type UpdateDevicePayload { clientMutationId: ID device: Device! }
  type DeleteDevicePayload { clientMutationId: ID deletedDeviceId: ID! }
  type UploadFirmwarePayload { clientMutationId: ID firmware: Firmware! }
  type DeleteFirmwarePayload { clientMutationId: ID deletedFirmwareId: ID! }
  type DeleteCoredumpPayload { clientMutationId: ID deletedCoredumpId: ID! }
  type DeleteCoredumpsPayload { clientMutationId: ID count: Int! }
  type ReparseCoredumpPayload { clientMutationId: ID coredump: Coredump! }
  type ReparseCoredumpsPayload { clientMutationId: ID count: Int! }

  type Subscription { parseStatus(coredumpId: ID, deviceId: ID): Coredump! }
`);

it('keeps every name and type that clients were promised', () => {
  expect(findBreakingChanges(CONTRACT, schema)).toEqual([]);
});

it('is printed in schema.graphql as it is', () => {
  const printed = `${printSchema(lexicographicSortSchema(schema))}\n`;

  expect(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8')).toBe(printed);
});
