import { stepFunction } from '../step-function.ts';

/** Binds the ports to source and target, the target's held closed until the guest's RARP opens it. */
export default stepFunction('enable-dual-chassis');
