import { bindingStory, type InterfaceResult, type MigrationResult } from '../migrate/result.ts';
import { type Frame, GAP, type Panel } from './canvas.ts';
import { headingPanel } from './heading.ts';
import { type Lane, lanesPanel } from './lanes.ts';
import { pingPanel } from './pings.ts';
import { bindingBands, guestBands, openedAt, silence, targetBands } from './story.ts';

/** The pings of each interface, and below them its port; `extra` lanes come below those. */
export function interfacePanels(
  result: MigrationResult,
  frame: Frame,
  { height, dot, extra = () => [] }: { height: number; dot: number; extra?: (one: InterfaceResult) => Lane[] },
): Panel[] {
  return result.interfaces.flatMap((one, index) => {
    const name = result.interfaces.length > 1 ? `Pings of ${one.port}` : 'Round trip of each ping';
    return [
      ...(index === 0 ? [] : [GAP]),
      headingPanel(frame, name, `${one.lostPings} of ${one.sentPings} lost`, `${one.lostPings} lost`),
      pingPanel(one.pings, frame, { silence: silence(one), height, dot }),
      lanesPanel([...networkLanes(result, one), ...extra(one)], frame, silence(one)),
    ];
  });
}

/** Where the guest runs, how its port is bound, and whether the target's side of it is open. */
function networkLanes(result: MigrationResult, one: InterfaceResult): Lane[] {
  const opened = openedAt(one);
  return [
    { name: 'Guest', details: [`${result.guestBlackoutMs ?? '?'} ms nowhere`], bands: guestBands(result) },
    { name: 'Port binding', details: [bindingStory(one).join(' → ')], bands: bindingBands(one) },
    {
      name: "Target's side of the port",
      ...(opened !== undefined && { details: ["opened by the guest's RARP", 'opened by RARP'] }),
      bands: targetBands(one),
    },
  ];
}
