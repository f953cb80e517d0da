import { builder } from './builder.js';
import './coredump.js';
import './device.js';
import './deviceModel.js';
import './firmware.js';
import './scalars.js';

export const schema = builder.toSchema();
