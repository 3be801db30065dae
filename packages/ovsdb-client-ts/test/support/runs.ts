/** How often a property is tried: few times by default, 100,000 by `npm run test:properties`. */
export const numRuns = Number(process.env.PROPERTY_RUNS ?? 1000);
