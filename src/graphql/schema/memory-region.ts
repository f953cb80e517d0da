import type * as reader from '../../crashdump/index.js';
import { builder } from './builder.js';

const MemorySource = builder.enumType('MemorySource', {
  description: 'Where a region of memory is known from. Values may be added.',
  values: {
    FIRMWARE: {
      value: 'firmware',
      description: 'A section of the ELF; dumped memory that touches it extends it.',
    },
    DUMP: { value: 'dump', description: 'Memory that only the dump has.' },
  } as const,
});

export const MemoryRegion = builder.objectRef<reader.MemoryRegion>('MemoryRegion').implement({
  description: 'A region of the memory of dump and ELF, as esp-coredump lists them.',
  fields: (t) => ({
    name: t.exposeString('name', {
      description:
        'The section’s name; `.coredump.tasks.data` for dumped memory, `.coredump.rom.text` for code.',
    }),
    address: t.exposeString('address', { description: 'The first address, `0x…`.' }),
    size: t.exposeFloat('size', { description: 'In bytes.' }),
    attributes: t.exposeString('attributes', {
      description:
        'Of a section `R`, `W`, `X` and `A` at their places (`R XA`), or `MS`; of dumped memory `RW` or `RWE`.',
    }),
    source: t.expose('source', { type: MemorySource, description: 'Where it is known from.' }),
  }),
});
