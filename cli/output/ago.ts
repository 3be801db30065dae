const UNITS = [
  { name: 'd', ms: 86_400_000 },
  { name: 'h', ms: 3_600_000 },
  { name: 'min', ms: 60_000 },
  { name: 's', ms: 1_000 },
] as const;

/** How long ago a time was, in its largest unit. */
export function ago(time: string, now: number): string {
  const ms = now - Date.parse(time);
  if (Number.isNaN(ms)) return time;
  const unit = UNITS.find((each) => ms >= each.ms) ?? UNITS.at(-1)!;
  return `${Math.floor(Math.max(ms, 0) / unit.ms)} ${unit.name}`;
}
