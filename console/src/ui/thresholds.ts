// From which value on something is coloured, and marked beside its colour.

const LEVELS = {
  cpu: [0.75, 0.9],
  memory: [0.8, 0.92],
  disk: [0.8, 0.9],
  swap: [0.5, 0.8],
  celsius: [70, 80],
  loadPerCore: [1, 2],
} as const;

export type Level = 'warn' | 'crit' | null;

export function levelOf(what: keyof typeof LEVELS, value: number | null | undefined): Level {
  if (value === null || value === undefined) return null;
  const [warn, crit] = LEVELS[what];
  return value >= crit ? 'crit' : value >= warn ? 'warn' : null;
}
