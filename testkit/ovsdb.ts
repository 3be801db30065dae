/** What the tests of the OVSDB client start, for who is no test: servers, clusters of them, certificates, ports by the thousand. */
export { Authority } from '../packages/ovsdb-client-ts/test/support/certificates.ts';
export { Cluster as RaftCluster } from '../packages/ovsdb-client-ts/test/support/cluster.ts';
export { addPorts } from '../packages/ovsdb-client-ts/test/support/northbound.ts';
export { TemporaryDirectory } from '../packages/ovsdb-client-ts/test/support/server.ts';
