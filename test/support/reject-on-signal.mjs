/** Loaded into a gateway under test: a signal makes a promise reject that nobody waits for. */
process.on('SIGUSR2', () => void Promise.reject(new Error('nobody caught this')));
