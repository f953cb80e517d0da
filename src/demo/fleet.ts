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

/** A random crash on a day of the history. A build's share grows with its age. */
export function aCrash(day: number, random: () => number): Crash {
  const builds = BUILDS.filter((build) => build.fromDay <= day);
  const build = pick(builds, (candidate) => 1 + (day - candidate.fromDay) / 8, random);
  const devices = DEVICES.filter(({ modelCode }) => modelCode === build.model);
  // Some devices crash far more often than others, as in real fleets.
  const device = pick(devices, (_, index) => 1 / (1 + index), random);
  const [crash] = pick(Object.entries(build.crashes), ([, weight]) => weight, random);
  return { device, build, file: `${build.file}-${crash}.dmp` };
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
