import { stat } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { guestImage } from '../../../lab/guest/image.ts';

test('the image is not built again while its inputs are the same', async () => {
  const first = await guestImage();
  const built = await stat(first.initramfs);
  const second = await guestImage();
  expect(second).toEqual(first);
  expect((await stat(second.initramfs)).mtimeMs).toBe(built.mtimeMs);
});
