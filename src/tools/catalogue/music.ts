/** Songs, playlists, playback. */
import { type Chapter, choice, id, like, many, read, record, text, whole, write } from './notation.ts';

const track_id = id('track', 'trk_901');
const track = record({
  track_id,
  title: text('Title.', 'Northern Lights'),
  artist: text('Artist.', 'The Pines'),
  album: text('Album.', 'Harbour'),
  seconds: whole('Length in seconds.', 214),
});
const playlist_id = id('playlist', 'pls_7');
const playlist = record({
  playlist_id,
  name: text('Name.', 'Morning run'),
  track_ids: many(id('track', 'trk_901')),
  visible_to: choice('Who sees it.', 'me', 'friends', 'everybody'),
});
const playback = record({
  track_id,
  state: choice('State.', 'playing', 'paused', 'stopped'),
  volume_percent: whole('Volume in percent.', 40, 0, 100),
  speaker: text('Speaker it plays on.', 'kitchen'),
});

export const music: Chapter = {
  category: 'music',
  tools: {
    search_tracks: read(
      'Finds songs by title, artist or mood.',
      { words: text('Title, artist or mood.', 'northern'), 'genre?': text('Genre.', 'folk'), 'most?': whole('Songs at most.', 10, 1, 50) },
      many(track),
    ),
    get_track: read('Shows one song.', { track_id }, track),
    get_lyrics: read(
      'Shows the lyrics of a song.',
      { track_id },
      record({ track_id, lyrics: text('Words.', 'Under the northern lights') }),
    ),
    list_playlists: read('Lists the playlists.', {}, many(playlist)),
    get_playlist: read('Shows a playlist.', { playlist_id }, playlist),
    get_playback: read('Shows what is playing.', {}, playback),
    create_playlist: write(
      'Starts a new playlist.',
      { name: text('Name.', 'Morning run'), 'visible_to?': choice('Who sees it.', 'me', 'friends', 'everybody') },
      like(playlist, { track_ids: [] }),
      'get_playlist',
    ),
    add_track_to_playlist: write('Puts a song on a playlist.', { playlist_id, track_id }, playlist, 'get_playlist'),
    remove_track_from_playlist: write(
      'Takes a song off a playlist.',
      { playlist_id, track_id },
      like(playlist, { track_ids: [] }),
      'get_playlist',
    ),
    play_track: write('Plays a song.', { track_id, 'speaker?': text('Speaker it plays on.', 'kitchen') }, playback, 'get_playback'),
    set_volume: write(
      'Sets the volume of the music.',
      { volume_percent: whole('Volume in percent.', 40, 0, 100) },
      playback,
      'get_playback',
    ),
  },
};
