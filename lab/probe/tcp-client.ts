// Runs in the client's namespace: one TCP connection to the echo service at the address given, 8 bytes every 5 ms, the
// next only after the last has come back. Writes {"sequence","at"} per echo, and {"broken"} when the connection ends.
import { connect } from 'node:net';

const INTERVAL_MS = 5;
const [ip] = process.argv.slice(2) as [string];

const say = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);
const broken = (why: string) => {
  say({ broken: why });
  process.exit();
};

const socket = connect({ host: ip, port: 7, noDelay: true });
let sequence = 1;
let received = '';

const question = () => String(sequence).padStart(8, '0');
const ask = () => socket.write(question());

socket.setEncoding('latin1');
socket.on('connect', ask);
socket.on('data', (chunk: string) => {
  received += chunk;
  if (received.length < 8) return;
  if (received !== question()) broken(`expected the echo ${question()}, got ${received}`);
  say({ sequence, at: Date.now() });
  received = '';
  sequence += 1;
  setTimeout(ask, INTERVAL_MS);
});
socket.on('end', () => broken('the guest closed the connection'));
socket.on('error', (error) => broken(error.message));
process.on('SIGTERM', () => process.exit());
