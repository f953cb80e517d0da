import { config } from 'dotenv';

/** Adds the variables of `.env`, where there is one, to the environment; what is set already stays. */
export function readDotenv(): void {
  config({ quiet: true });
}
