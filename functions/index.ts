/** What the image runs. */
import { compileBundle, runBundle } from './bundle.ts';

runBundle(compileBundle(import.meta.dirname), import.meta.dirname);
