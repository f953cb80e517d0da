import type * as reader from '../../crashdump/index.js';
import { builder } from './builder.js';

export const Register = builder.objectRef<reader.Register>('Register').implement({
  description: 'A register of a task.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'As the architecture names it: `pc`, `a0`, `mcause`.' }),
    value: t.exposeString('value', { description: 'Hexadecimal, eight digits: `0x42009351`.' }),
    symbol: t.exposeString('symbol', {
      nullable: true,
      description: 'Where the value points: `panic_abort+18`. Null where the firmware has nothing there.',
    }),
    meaning: t.exposeString('meaning', {
      nullable: true,
      description: 'What a known fill pattern says: “heap memory that was freed”. Null for other values.',
    }),
  }),
});
