import { stepFunction } from '../step-function.ts';

/** Binds the ports to the one chassis where the guest runs: the target after the switch, the source after a failure. */
export default stepFunction('disable-dual-chassis');
