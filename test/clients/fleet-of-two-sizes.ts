import { aCrash } from '../support/crash-groups.js';
import type { GraphQLEndpoint } from '../support/graphql-server.js';

export type SizedFleet = Awaited<ReturnType<typeof aSizedFleet>>;

export const SMALL = { devices: 12, dumpsEach: 2, groups: 3 };
export const LARGE = { devices: 200, dumpsEach: 20, groups: 40 };

/** Devices of two models, each with one crash that belongs to a group, and more dumps. */
export async function aSizedFleet(
  endpoint: GraphQLEndpoint,
  { devices: count, dumpsEach, groups: groupCount }: typeof SMALL,
) {
  const { fleet, db } = endpoint;
  const models = [await fleet.aModel({ code: 'thermostat' }), await fleet.aModel({ code: 'pump' })] as const;
  const builds = [
    await fleet.aFirmware(models[0], { version: '1.0.0' }),
    await fleet.aFirmware(models[1], { version: '1.0.0' }),
    await fleet.aFirmware(models[0], { version: '1.1.0' }),
    await fleet.aFirmware(models[1], { version: '1.1.0' }),
  ] as const;
  const devices = [];
  const groups = new Set<string>();
  const dumps = [];
  for (let index = 0; index < count; index++) {
    const ofModel = index % 2 === 0 ? 0 : 1;
    const device = await fleet.aDevice(models[ofModel], { key: `d${index}` });
    const at = new Date();
    await db.coredump.createMany({
      data: Array.from({ length: dumpsEach - 1 }, (_, n) => ({
        ...{
          deviceId: device.id,
          filename: `c${index}_${n}.dmp`,
          chip: 'esp32c3',
          firmwareVersion: '1.0.0',
          crashVersion: '1.0.0',
        },
        ...{ size: 64, sha256: `${index}_${n}`, uploadedAt: at, parseStatus: 'ERROR' as const },
        ...{ parseErrorKind: 'missing_firmware', parsedAt: at, firmwareId: builds[ofModel].id },
      })),
    });
    // The latest, so that it is on the first page of its device.
    const { dump, groupId } = await aCrash(endpoint, device, {
      place: `function_${index % groupCount}`,
      version: index % 3 === 0 ? '1.0.0' : '1.1.0',
      output: `abort() in function_${index % groupCount}`,
    });
    devices.push(device);
    dumps.push(dump);
    groups.add(groupId);
  }
  await db.$executeRaw`UPDATE "Device" SET "crashCount" = ${dumpsEach}, "lastCrashAt" = "createdAt"`;
  return { models, builds, devices, dumps, groups: [...groups] };
}
