import { builder } from './builder.js';
import './audit-event.js';
import './alert.js';
import './alert-mutations.js';
import './coredump.js';
import './crash-group.js';
import './crash-group-mutations.js';
import './crash-series.js';
import './device.js';
import './device-mutations.js';
import './device-model.js';
import './firmware.js';
import './model-privacy.js';
import './symbols.js';
import './scalars.js';
import './search.js';
import './viewer.js';

export const schema = builder.toSchema();
