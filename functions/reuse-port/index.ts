import { stepFunction } from '../step-function.ts';

/** Pins the ports to the source, hands the target pod their identity, and lets it go to the scheduler. */
export default stepFunction('reuse-port');
