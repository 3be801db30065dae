import type { Trial } from '../../../../scripts/pack/trial.ts';

/** `yaml` is what the README's example has for YAML. */
export const trial: Trial = { dependencies: ['cloudevents', 'yaml'] };
