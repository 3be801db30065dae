import { readFile } from 'node:fs/promises';
import { guestAnswers, showsDamage } from '../guest/console.ts';
import { filesIn, type GuestHealth } from '../guest/guest.ts';

/** Looks at a guest from behind, while another process holds its QMP: tells a dead guest from a network that is out. */
export async function guestHealth(directory: string): Promise<GuestHealth> {
  const { serial, console } = filesIn(directory);
  if (showsDamage(await readFile(serial, 'utf8').catch(() => ''))) return 'panicked';
  return (await guestAnswers(console)) ? 'running' : 'hung';
}
