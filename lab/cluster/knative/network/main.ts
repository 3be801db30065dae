/** Knative's network layer as a container runs it. */
import { KubeConfig } from '@kubernetes/client-node';
import { NetworkLayer } from './network-layer.ts';

const PORT = 8080;

const config = new KubeConfig();
config.loadFromCluster();
const layer = new NetworkLayer({
  config,
  ingressClass: process.env.INGRESS_CLASS ?? '',
  address: process.env.ADDRESS ?? '',
  log: (passage) => console.log(JSON.stringify(passage)),
});
process.once('SIGTERM', () => void layer.stop().then(() => process.exit(0)));
await layer.start(PORT);
