/**
 * The demo's fleet: its devices, the firmware that they ran over time, and their crashes. The dumps come from our own
 * firmware, built and crashed for this purpose (see test/fixtures/README.md).
 */
import { sourcesFolder } from '../platform/program-files.js';

export const FIXTURES = sourcesFolder('test/fixtures/firmware/');

export const MODELS = [
  { code: 'thermostat', name: 'Thermostat' },
  { code: 'gateway', name: 'Gateway' },
] as const;

interface Build {
  file: string;
  model: (typeof MODELS)[number]['code'];
  version: string;
  /** The kinds of its crashes, each with a relative frequency. */
  crashes: Readonly<Record<string, number>>;
  /** Day of the demo's history on which devices begin to run it. */
  fromDay: number;
  /** False: its ELF is not uploaded, so that a person can drop it onto the page. */
  isUploaded: boolean;
}

export const BUILDS: readonly Build[] = [
  {
    file: 'thermostat-1.0.0',
    model: 'thermostat',
    version: '1.0.0',
    crashes: {
      'null-pointer': 6,
      abort: 4,
      'stack-overflow': 3,
      assert: 2,
      'task-watchdog': 2,
      'null-call': 1,
      'illegal-instruction': 1,
      'broken-task': 1,
    },
    fromDay: 0,
    isUploaded: true,
  },
  {
    file: 'thermostat-1.1.0',
    model: 'thermostat',
    version: '1.1.0',
    crashes: { 'stack-overflow': 4, abort: 2, 'null-pointer': 1 },
    fromDay: 9,
    isUploaded: true,
  },
  {
    file: 'thermostat-1.1.0-b',
    model: 'thermostat',
    version: '1.1.0',
    crashes: { abort: 2, 'null-pointer': 2, 'stack-overflow': 1 },
    fromDay: 16,
    isUploaded: true,
  },
  {
    file: 'gateway-0.3.0',
    model: 'gateway',
    version: '0.3.0',
    crashes: { abort: 1, 'null-pointer': 1 },
    fromDay: 18,
    isUploaded: false,
  },
];

export const HISTORY_DAYS = 21;

const PLACES: Readonly<Record<string, readonly string[]>> = {
  thermostat: [
    'Kitchen',
    'Bedroom',
    'Lobby',
    'Meeting room 1',
    'Meeting room 2',
    'Canteen',
    'Workshop',
    'Cold store',
    'Greenhouse',
    'Stairwell',
    'Roof',
  ],
  gateway: ['Basement', 'Plant room', 'Gatehouse'],
};

export interface DemoDevice {
  key: string;
  name: string;
  modelCode: string;
}

export const DEVICES: readonly DemoDevice[] = Object.entries(PLACES).flatMap(([modelCode, names]) =>
  names.map((name, index) => ({
    key: `${modelCode.slice(0, 2)}${String(index + 1).padStart(4, '0')}`,
    name,
    modelCode,
  })),
);

interface Crash {
  device: DemoDevice;
  build: Build;
  /** The dump's file below the fixtures. */
  file: string;
}

/** A random crash on a day of the history. */
export function aCrash(day: number, random: () => number): Crash {
  const running = DEVICES.flatMap((device) => {
    const build = buildOn(day, device);
    return build === null ? [] : [{ device, build }];
  });
  // Some devices crash far more often than others, as in real fleets.
  const { device, build } = pick(running, ({ device: { key } }) => 1 / (2 + Number(key.slice(2))), random);
  const [crash] = pick(Object.entries(build.crashes), ([, weight]) => weight, random);
  return { device, build, file: `${build.file}-${crash}.dmp` };
}

/** What a device runs: some get an update days later than others. */
function buildOn(day: number, { key, modelCode }: DemoDevice): Build | null {
  const lateDays = Number(key.slice(2)) % 5;
  const builds = BUILDS.filter(({ model }) => model === modelCode);
  return builds.findLast(({ fromDay }, at) => fromDay + (at === 0 ? 0 : lateDays) <= day) ?? null;
}

interface Boot {
  deviceKey: string;
  version: string;
  resetReason: string;
  uptimeSeconds: number;
}

/** Why devices of this fleet restart on a day, beside crashes, each with a relative frequency. */
const RESTARTS: Readonly<Record<string, number>> = { poweron: 6, sw: 3, brownout: 1 };
/** Few enough for the limit of reports a minute, since the history is played within one. */
const BOOTING_SHARE = 0.2;
/** As old as a run can be. */
const LONGEST_RUN_S = 3 * 24 * 60 * 60;

/** The devices that are started on a day: those that get a new build, and some others. */
export function bootsOf(day: number, random: () => number): Boot[] {
  return DEVICES.flatMap((device) => {
    const build = buildOn(day, device);
    const isUpdated = build !== buildOn(day - 1, device);
    if (build === null || (random() >= BOOTING_SHARE && !isUpdated)) return [];
    const [restart] = pick(Object.entries(RESTARTS), ([, weight]) => weight, random);
    const resetReason = isUpdated ? 'sw' : restart;
    return [{ deviceKey: device.key, version: build.version, resetReason, uptimeSeconds: aRun(random) }];
  });
}

/** A device starts again after its crash. */
export function bootAfter({ device, build, file }: Crash, random: () => number): Boot {
  const resetReason = file.includes('task-watchdog') ? 'task_wdt' : 'panic';
  return { deviceKey: device.key, version: build.version, resetReason, uptimeSeconds: aRun(random) };
}

function aRun(random: () => number): number {
  return Math.ceil(random() * LONGEST_RUN_S);
}

/** The same sequence in every run, so that every demo shows the same fleet (Park and Miller's generator). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function pick<Item>(
  items: readonly Item[],
  weightOf: (item: Item, index: number) => number,
  random: () => number,
): Item {
  const weights = items.map(weightOf);
  let rest = random() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [index, item] of items.entries()) {
    rest -= weights[index] ?? 0;
    if (rest <= 0) return item;
  }
  throw new Error('no item to choose from');
}
