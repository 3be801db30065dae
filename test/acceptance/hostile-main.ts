// Sends malformed and hostile events to the built functions, on real OVN databases and an API server that hold VMs in
// every state in which there is nothing to do. Passes when each answer is 204 or 4xx with one clear line, no row of
// OVN has changed, every function still runs, and memory stayed flat.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import type { FunctionProcess } from '../../testkit/function-process.ts';
import { GARBAGE, sendGarbage } from './hostile/garbage.ts';
import { type HostileRequest, hostileRequest } from './hostile/request.ts';
import { Town } from './hostile/town.ts';

const { values } = parseArgs({
  options: { events: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
});
const EVENTS = Number(values.events);
const SEED = Number(values.seed);
const BATCH = 100;
const AT_ONCE = 40;
/** What a heap may swing by between two collections; what leaks per event is far beyond it in 100,000 events. */
const GROWTH_MIB = 16;
const LONGEST_LINE = 1024;

const problems: string[] = [];
const statuses = new Map<number, number>();
const kinds = new Map<string, Map<number, number>>();
/** MiB, by function, one for each batch. */
const sizes = new Map<FunctionProcess, number[]>();

const started = performance.now();
await using town = await Town.start();
const before = town.dump();
let sent = 0;
for (let batch = 0; sent < EVENTS; batch++) {
  const numRuns = Math.min(BATCH, EVENTS - sent);
  const queue = fc.sample(hostileRequest(town.victims), { numRuns, seed: SEED * 1_000_003 + batch }).values();
  const work = async () => {
    for (const request of queue) await judge(request, town.functions[sent++ % town.functions.length]!);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (batch % 10 === 0) for (const each of town.functions) await hearGarbage(each);
  for (const each of town.functions) sizes.set(each, [...(sizes.get(each) ?? []), residentMiB(each)]);
  if (problems.length > 20) break;
}
if (town.dump() !== before) problems.push('OVN has changed');
for (const [index, each] of town.functions.entries()) {
  if (each.child.exitCode !== null || each.child.signalCode !== null) problems.push(`function ${index} has ended`);
}

const growth = [...sizes.values()].map(grownBy);
if (Math.max(...growth) > GROWTH_MIB) problems.push('memory has grown');
for (const [kind, answers] of [...kinds].sort()) console.log(`${kind}: ${sorted(answers)}`);
console.log(
  `${sent} events, seed ${SEED}, in ${((performance.now() - started) / 1000).toFixed(0)} s: ${sorted(statuses)}`,
);
for (const [index, of] of [...sizes.values()].entries()) {
  const medians = tenths(of).map((size) => size.toFixed(0));
  console.log(`resident memory of function ${index}, by tenths of the run: ${medians.join(' ')} MiB`);
}
console.log(problems.length === 0 ? 'PASS' : `FAIL\n${problems.join('\n')}`);
process.exitCode = problems.length === 0 ? 0 : 1;

async function judge(request: HostileRequest, to: FunctionProcess): Promise<void> {
  const { status, body } = await send(request, to).catch((error) => ({
    status: 0,
    body: String(error.cause ?? error),
  }));
  statuses.set(status, (statuses.get(status) ?? 0) + 1);
  const answers = kinds.get(request.kind) ?? new Map<number, number>();
  kinds.set(request.kind, answers.set(status, (answers.get(status) ?? 0) + 1));
  const isClear =
    status === 204
      ? body === ''
      : status >= 400 && status < 500 && /^[^\n]+$/.test(body) && body.length <= LONGEST_LINE;
  if (!isClear)
    problems.push(
      `${status} ${body.slice(0, 200)} to ${JSON.stringify({ ...request, body: String(request.body).slice(0, 1500) })}`,
    );
}

/** What is not even HTTP gets 4xx, or no answer at all. */
async function hearGarbage({ url }: FunctionProcess): Promise<void> {
  for (const [kind, bytes] of Object.entries(GARBAGE)) {
    const answer = await sendGarbage(url, bytes);
    if (answer !== '' && !/^HTTP\/1\.1 4\d\d /.test(answer)) problems.push(`${answer} to ${kind}`);
  }
}

async function send({ method, path, headers, body }: HostileRequest, { url }: FunctionProcess) {
  const response = await fetch(`${url}${path}`, {
    method,
    headers,
    ...(method !== 'GET' && { body }),
    redirect: 'manual',
  });
  return { status: response.status, body: await response.text() };
}

function residentMiB({ child }: FunctionProcess): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}

/** Medians of each tenth of the run. */
function tenths(of: readonly number[]): number[] {
  const length = Math.ceil(of.length / 10);
  return Array.from({ length: 10 }, (_, tenth) => median(of.slice(tenth * length, (tenth + 1) * length)));
}

/** From the third tenth to the last one: the first two warm the function up. */
function grownBy(of: readonly number[]): number {
  const medians = tenths(of);
  return medians[9]! - medians[2]!;
}

function median(of: readonly number[]): number {
  return [...of].sort((a, b) => a - b)[Math.floor(of.length / 2)] ?? 0;
}

function sorted(counts: ReadonlyMap<number, number>): string {
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([status, count]) => `${count} × ${status}`)
    .join(', ');
}
