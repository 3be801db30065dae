import { connect } from 'node:net';

/** Whether the guest behind this console socket answers a line within 3 s (under TCG on a busy machine it takes a while). */
export async function guestAnswers(socketPath: string): Promise<boolean> {
  const question = `${Date.now()}`;
  const socket = connect(socketPath);
  return new Promise<boolean>((resolve) => {
    const settle = (answered: boolean) => {
      clearTimeout(timeout);
      socket.destroy();
      resolve(answered);
    };
    const timeout = setTimeout(settle, 3000, false);
    socket.on('error', () => settle(false));
    socket.on('close', () => settle(false));
    let said = '';
    socket.on('data', (chunk) => {
      said += chunk;
      if (said.includes(`GUEST-ANSWERS ${question}`)) settle(true);
    });
    socket.write(`${question}\n`);
  });
}

/** Whether a guest's console shows that its kernel, or its memory, is damaged. */
export function showsDamage(serial: string): boolean {
  return /Kernel panic|soft lockup|is not a head!|Oops:/.test(serial);
}
