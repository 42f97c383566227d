/** Loaded into a gateway before its own code: SIGUSR2 leaves a promise behind that rejects and that nobody hears. */
process.on('SIGUSR2', () => {
  void Promise.reject(new Error('nobody hears this'));
});
