/** What the server's edges may ask of the notifications module. */
export interface NotificationsApi {
  /** How many notifications of this user wait to be read. */
  unread(userId: string): Promise<number>;
}
