// Every page in Chinese: accessible, in the right language and theme, within its window, at rest, without an error.
import { matrix } from './matrix.mjs';

await matrix('zh');
