export { type Answer, applied, nothingToDo, refuse, tryAgain } from './answers.ts';
export { MalformedEventError } from './malformed-event-error.ts';
export { type PingEvent, parsePingEvent } from './ping-event.ts';
export { parseResourceEvent, type ResourceEvent, type ResourceObject } from './resource-event.ts';
