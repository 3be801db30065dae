/** How the ports of one VM must end, in both OVN databases. */
export type Ending =
  | (Binding & {
      /** Options that somebody else has added; they stay whatever becomes of ours. */
      readonly theirs?: Readonly<Record<string, string>> | undefined;
    })
  /** Taken away by somebody else. */
  | { readonly binding: 'no port' };

type Binding =
  /** Bound to the node where the guest runs, with our record, until no other pod of the VM may be plugged. */
  | {
      readonly binding: 'pinned';
      readonly node: string;
      readonly migration: string;
    }
  /** Bound to nothing, with no record; claimed where the guest runs, if it runs. */
  | { readonly binding: 'unbound'; readonly node?: string | undefined };
