import { type Check, list, mapOf, mapping, oneOf, required } from './check.ts';
import { labelKey, labelValue } from './metadata.ts';

/**
 * Which objects are meant, by their labels: all that is said has to hold.
 *
 * @see [Kubernetes, labels and selectors](https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/)
 *
 * @example
 * ```ts
 * const selector: LabelSelector = { matchLabels: { app: 'shop' } };
 * ```
 */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly LabelRequirement[];
}

/**
 * What a label has to be, or not to be.
 *
 * @see [Kubernetes, labels and selectors](https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/)
 *
 * @example
 * ```ts
 * const requirement: LabelRequirement = { key: 'tier', operator: 'In', values: ['web', 'api'] };
 * ```
 */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  /** With `In` and `NotIn` only. */
  readonly values?: readonly string[];
}

const requirement: Check<LabelRequirement> = mapping<LabelRequirement>(
  {
    key: required(labelKey),
    operator: required(oneOf('In', 'NotIn', 'Exists', 'DoesNotExist')),
    values: list(labelValue),
  },
  ({ operator, values = [] }, where) => {
    const wants = operator === 'In' || operator === 'NotIn';
    return [
      wants && values.length === 0 && { where, what: `must have values for operator ${operator}` },
      !wants && values.length > 0 && { where, what: `must not have values for operator ${operator}` },
    ];
  },
);

export const labelSelector: Check<LabelSelector> = mapping<LabelSelector>({
  matchLabels: mapOf(labelKey, labelValue),
  matchExpressions: list(requirement),
});
