import { expect, test } from '@jest/globals';
import { digestIn } from '../../../scripts/deploy/image.ts';

const DIGEST = 'a'.repeat(64);

test('an image with its digest is deployed as it is, and one without is built', () => {
  expect(digestIn(`registry.example.com:5000/infra/x@sha256:${DIGEST}`)).toContain(DIGEST);
  expect(digestIn('registry.example.com/infra/x')).toBeUndefined();
  expect(digestIn('registry.example.com/infra/x:latest')).toBeUndefined();
});

test.each([
  `x@sha256:${'a'.repeat(63)}`,
  `x@sha256:${'A'.repeat(64)}`,
  `x@sha512:${DIGEST}`,
  `@sha256:${DIGEST}`,
  'x@latest',
])('%s is no digest, and that is said before anything is done', (image) => {
  expect(() => digestIn(image)).toThrow(`--image ${image} is no REPOSITORY@sha256:…`);
});
