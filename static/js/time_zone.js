// Guests see times online in their own time zone; members have chosen theirs in their profile.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const isKnown = () => document.cookie.split("; ").includes(`time_zone=${zone}`);
if (zone && !isKnown()) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `time_zone=${zone}; path=/; max-age=31536000; samesite=lax${secure}`;
  // The first page was written before the zone was known: read again, it agrees with the ones that follow.
  const hasTimes = document.querySelector("time[data-reader]") !== null;
  if (isKnown() && hasTimes && document.body.hasAttribute("data-guest")) location.reload();
}
