/** The control plane's on the network for migrations, which is the nodes' own here: `lab/testbed` gives theirs. */
export const API_ADDRESS = '10.251.0.1';
export const API_PORT = 6443;
export const SERVICE_SUBNET = '10.96.0.0/16';
/** The first address of the subnet is the API server's own Service. */
export const API_SERVICE_ADDRESS = '10.96.0.1';
/** Where kubelets send their pods for names; whoever brings a DNS server gives its Service this address. */
export const DNS_ADDRESS = '10.96.0.10';
export const POD_SUBNET = '10.244.0.0/16';
/** OVN's northbound and southbound databases, there too. */
export const NB_PORT = 6641;
export const SB_PORT = 6642;
