import { endpoints } from './endpoint-guests.ts';
import type { GuestKind } from './guests.ts';
import { qemuGuests } from './qemu-guests.ts';

export const GUEST_KINDS = { qemu: qemuGuests, endpoint: endpoints } as const satisfies Record<string, GuestKind>;
