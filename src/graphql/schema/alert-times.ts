import { readTime } from '../../alerts/wall-clock.js';
import { badInput } from '../../errors.js';
import { builder } from './builder.js';

export const AlertQuietHoursInput = builder.inputType('AlertQuietHoursInput', {
  description: 'Times of day between which a rule sends nothing, by the clocks of its time zone.',
  fields: (t) => ({
    from: t.string({ required: true, description: 'The first minute of them: `22:00`.' }),
    to: t.string({
      required: true,
      description: 'The first minute after them: `07:00`. Earlier than `from`: it is of the next day.',
    }),
  }),
});

/** @throws DomainError BAD_USER_INPUT */
export function quietHoursOf(
  input: { from: string; to: string } | null | undefined,
): { from: number; to: number } | null {
  if (input == null) return null;
  return { from: timeOf(input.from, 'quietHours.from'), to: timeOf(input.to, 'quietHours.to') };
}

/** @throws DomainError BAD_USER_INPUT */
export function digestAtOf(input: string | null | undefined): number | null {
  return input == null ? null : timeOf(input, 'digestAt');
}

function timeOf(text: string, field: string): number {
  const minutes = readTime(text);
  if (minutes === null)
    throw badInput(`"${text.slice(0, 20)}" is not a time of day: "07:00", "22:30".`, { field });
  return minutes;
}
