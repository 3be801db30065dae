import { type BindingWatch, watchBindings } from '../observe/bindings.ts';
import type { Seen } from '../observe/changes.ts';
import { longestSilence, lostAnswers, type Span } from '../probe/outage.ts';
import { type Ping, startPing } from '../probe/ping.ts';
import { pingSamples } from '../probe/samples.ts';
import { startTcp, type Tcp } from '../probe/tcp.ts';
import type { GuestInterface, TestbedDescription } from '../testbed/description.ts';
import { type InterfaceResult, round } from './result.ts';

const PING_EVERY_MS = 5;

/** What the client and OVN see of one interface of a VM, from `start` on. */
export class InterfaceWatch {
  readonly bindings: BindingWatch;
  readonly #port: string;
  readonly #ping: Ping;
  readonly #tcp: Tcp;

  private constructor(port: string, bindings: BindingWatch, ping: Ping, tcp: Tcp) {
    this.#port = port;
    this.bindings = bindings;
    this.#ping = ping;
    this.#tcp = tcp;
  }

  /** Resolves when a TCP connection to the guest stands. */
  static async start(testbed: TestbedDescription, { ip, port }: GuestInterface): Promise<InterfaceWatch> {
    const bindings = await watchBindings(testbed, port);
    const ping = await startPing(testbed.client, ip, { intervalMs: PING_EVERY_MS });
    return new InterfaceWatch(port, bindings, ping, await startTcp(testbed.client, ip));
  }

  /** What ping has seen up to now: how many got no answer of those before the last that got one, and the longest silence. */
  pings(since: number): { readonly lost: number; readonly silenceMs: number } {
    const answers = this.#ping.answers.filter(({ at }) => at >= since);
    const sequences = answers.map(({ sequence }) => sequence);
    const asked = answers.length === 0 ? 0 : sequences.at(-1)! - sequences[0]! + 1;
    return { lost: asked - answers.length, silenceMs: longestSilence(answers, { from: since, to: Date.now() }).ms };
  }

  /**
   * Ends it, and tells what it saw.
   *
   * @param migration.span from the creation of the VMIM to the end of the measurement
   * @param migration.switchedAt when the guest first ran on the target, ms since the epoch; nothing if it never did
   * @param migration.target name of the target's chassis
   */
  async result({
    span,
    switchedAt,
    target,
  }: {
    span: Span;
    switchedAt: number | undefined;
    target: string;
  }): Promise<InterfaceResult> {
    const [pings, echoes] = [await this.#ping.stop(), await this.#tcp.stop()];
    const { wanted, claimed } = this.bindings;
    await this.bindings.stop();
    const silence = longestSilence(pings.answers, span);
    const relative = <T extends object>({ at, ...state }: Seen<T>) => ({ atMs: Math.round(at - span.from), ...state });
    return {
      port: this.#port,
      outageMs: round(silence.ms),
      outageAtMs: Math.round(silence.from - span.from),
      sentPings: pings.sent,
      lostPings: lostAnswers(pings.answers, pings.sent, span),
      tcpMaxStallMs: round(echoes.maxStallMs),
      tcpBroken: echoes.broken,
      ...(echoes.reason !== undefined && {
        tcpBreak: { atMs: Math.round((echoes.answers.at(-1)?.at ?? span.from) - span.from), reason: echoes.reason },
      }),
      activatedByRarp: claimed.list.some(({ at, activated }) => at >= span.from && activated.includes(target)),
      bindings: wanted.list.map((seen) => ({
        requestedChassis: undefined,
        activationStrategy: undefined,
        ...relative(seen),
      })),
      claims: claimed.list.map((seen) => ({ chassis: undefined, ...relative(seen) })),
      stolenClaims: claimed.list.filter(({ at, chassis }) => at < (switchedAt ?? span.to) && chassis === target).length,
      pings: pingSamples(pings, span).map(([sentAt, rttMs]) => [round(sentAt - span.from), rttMs]),
    };
  }
}
