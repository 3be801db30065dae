import { readFile } from 'node:fs/promises';

/** A line of kube-apiserver's audit log (audit.k8s.io/v1, level Metadata). */
export interface AuditEvent {
  /** A watch has a `ResponseStarted`; everything ends with `ResponseComplete`, also a watch. */
  readonly stage: 'ResponseStarted' | 'ResponseComplete' | 'Panic';
  readonly stageTimestamp: string;
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly requestURI: string;
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number; readonly message?: string };
}

export async function readAudit(file: string): Promise<AuditEvent[]> {
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n');
  // The last line may be half written.
  return lines.slice(0, -1).map((line) => JSON.parse(line) as AuditEvent);
}
