import type { CrashReport, DeviceIdentity } from '../report.js';

/** "serial 7cdfa1e5d3c8, model thermostat, firmware 1.2.3 (thermostat), boot 3, started by panic" */
export function identityLine(identity: DeviceIdentity): string {
  const { serial, model, firmwareVersion, project, bootCount, resetReason } = identity;
  const ofModel = model === null ? '' : `, model ${model}`;
  return `serial ${serial}${ofModel}, firmware ${firmwareVersion} (${project}), boot ${bootCount}, started by ${resetReason}`;
}

/**
 * What the device component has in the dump. esp-coredump has no such sections. Lines are indented, so that none of the
 * device's looks like a heading.
 */
export function deviceSections({ values, logLines }: CrashReport): string[][] {
  const sections: string[][] = [];
  if (values.length > 0)
    sections.push([
      '======================== DEVICE VALUES ========================',
      ...values.map(
        ({ name, type, value }) => `  ${name} = ${type === 'text' ? JSON.stringify(value) : value}`,
      ),
    ]);
  if (logLines.length > 0)
    sections.push([
      '======================= DEVICE LOG LINES ======================',
      ...logLines.map((line) => `  ${line}`),
    ]);
  return sections;
}
