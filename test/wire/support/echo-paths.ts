/** What both servers of a comparison do, by path: any other is echoed like `unary`. */
export const PATHS = { unary: '/t.T/Unary', stream: '/t.T/Stream', refuse: '/t.T/Refuse', never: '/t.T/Never' } as const;

export const MAX_MESSAGE_BYTES = 20_000;
