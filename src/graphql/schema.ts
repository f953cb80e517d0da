import { builder } from './builder.js';
import './auditEvent.js';
import './alerts.js';
import './coredump.js';
import './crashGroup.js';
import './crashGroupMutations.js';
import './crashes.js';
import './device.js';
import './deviceModel.js';
import './firmware.js';
import './modelPrivacy.js';
import './symbols.js';
import './scalars.js';
import './search.js';

export const schema = builder.toSchema();
