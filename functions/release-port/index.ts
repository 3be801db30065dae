import { stepFunction } from '../step-function.ts';

/** Unbinds the ports of a VM that is gone, and takes our record off. */
export default stepFunction('release-port');
