import { stringify } from 'yaml';

/** A kubeconfig (YAML) with one cluster, one user and one context; `authority` is the PEM that signed the server. */
export function kubeconfigYaml(server: string, authority: string, token: string): string {
  const name = 'ovn-handover-lab';
  const authorityData = Buffer.from(authority).toString('base64');
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': authorityData } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  });
}
