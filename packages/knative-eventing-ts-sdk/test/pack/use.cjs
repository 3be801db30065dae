const assert = require('node:assert');
const { eventOf, parsePingEvent } = require('knative-eventing-ts-sdk');
const { version } = require('knative-eventing-ts-sdk/package.json');

const headers = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 'dev.knative.sources.ping' };
assert.deepEqual(parsePingEvent(eventOf({ headers, body: '7' })), { id: '1', source: '/s', data: 7 });
assert.match(version, /^\d+\.\d+\.\d+/);
