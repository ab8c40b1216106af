/*
 * A stand-in for pyxis (https://github.com/NVIDIA/pyxis), for tests only: no package registry has pyxis
 * and enroot, so this SPANK plugin registers pyxis's srun options and really enters a root filesystem (a
 * directory or a squashfs file) through a mount namespace, an overlay, bind mounts and a chroot.
 *
 * Like pyxis 0.24: only the last --container-mounts counts (that is Slurm's doing, so it comes by itself),
 * a mount is SRC:DST[:FLAGS] with commas between mounts and '+' between flags, an image that begins with
 * neither '/' nor '.' is taken for one of a registry (nothing can be pulled here, so it is refused), the
 * image and the sources are opened with the user's rights, the root is read-only, /tmp is a tmpfs, the
 * variables of the image (/etc/environment in its root, where enroot keeps them) win over the host's
 * unless named in --container-env, LANG, LANGUAGE and LC_ALL are dropped, and a failure writes pyxis's
 * words to stderr and ends the step with code 1.
 *
 * Not like pyxis: it takes a directory for an image, makes no user namespace (it needs a root slurmd and
 * loop devices), knows srun's command line only (no sbatch options, no PYXIS_* variables), starts in /
 * whatever the image's WORKDIR, shows the job's directory as an empty one where nothing is mounted there,
 * ignores --container-name, the entrypoint and the remap-root options, and refuses --container-save,
 * --container-unshare and mounts of kind "umount".
 *
 * Build: gcc -O2 -fPIC -shared -o pyxis_standin.so pyxis_standin.c
 * plugstack.conf: required <path>/pyxis_standin.so scratch=<empty directory>
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/loop.h>
#include <sched.h>
#include <slurm/spank.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

SPANK_PLUGIN(pyxis_standin, 1)

enum { IMAGE, MOUNTS, WORKDIR, NAME, SAVE, ENV, UNSHARE, WRITABLE, HOME, REMAP, ENTRYPOINT, ENTRYPOINT_LOG, COUNT };
#define OFF 100 /* added to the number of the option that a --no-... form switches off */

static char *value[COUNT];
static char scratch[256];
static int enter_rc;

#define FAIL(...) do { slurm_error("pyxis: " __VA_ARGS__); return -1; } while (0)

static int on_text(int option, const char *arg, int remote);
static int on_mounts(int option, const char *arg, int remote);
static int on_switch(int option, const char *arg, int remote);

static struct spank_option options[] = {
	{ "container-image", "PATH", "[pyxis stand-in] squashfs file or root directory", 1, IMAGE, on_text },
	{ "container-mounts", "SRC:DST[:FLAGS][,SRC:DST...]", "[pyxis stand-in] bind mounts, flags joined by +", 1, MOUNTS, on_mounts },
	{ "container-workdir", "PATH", "[pyxis stand-in] working directory", 1, WORKDIR, on_text },
	{ "container-name", "NAME", "[pyxis stand-in] ignored", 1, NAME, on_text },
	{ "container-save", "PATH", "[pyxis stand-in] refused", 1, SAVE, on_text },
	{ "container-env", "NAME[,NAME...]", "[pyxis stand-in] variables whose host value wins", 1, ENV, on_text },
	{ "container-unshare", "NS[,NS...]", "[pyxis stand-in] refused", 1, UNSHARE, on_text },
	{ "container-writable", NULL, "[pyxis stand-in] writable root", 0, WRITABLE, on_switch },
	{ "container-readonly", NULL, "[pyxis stand-in] read-only root (default)", 0, WRITABLE + OFF, on_switch },
	{ "container-mount-home", NULL, "[pyxis stand-in] mount $HOME", 0, HOME, on_switch },
	{ "no-container-mount-home", NULL, "[pyxis stand-in] default", 0, HOME + OFF, on_switch },
	{ "container-remap-root", NULL, "[pyxis stand-in] ignored", 0, REMAP, on_switch },
	{ "no-container-remap-root", NULL, "[pyxis stand-in] default", 0, REMAP + OFF, on_switch },
	{ "container-entrypoint", NULL, "[pyxis stand-in] ignored", 0, ENTRYPOINT, on_switch },
	{ "no-container-entrypoint", NULL, "[pyxis stand-in] default", 0, ENTRYPOINT + OFF, on_switch },
	{ "container-entrypoint-log", NULL, "[pyxis stand-in] ignored", 0, ENTRYPOINT_LOG, on_switch },
	SPANK_OPTIONS_TABLE_END
};

static const char *option_name(int option)
{
	for (int i = 0; options[i].name; i++)
		if (options[i].val == option) return options[i].name;
	return "?";
}

static int on_text(int option, const char *arg, int remote)
{
	(void)remote;
	if (!arg || !*arg) FAIL("--%s: argument required", option_name(option));
	/* Slurm may call twice with one value; with two values pyxis refuses. */
	if (value[option] && strcmp(value[option], arg)) FAIL("--%s specified multiple times", option_name(option));
	if (!value[option]) value[option] = strdup(arg);
	return 0;
}

static int on_switch(int option, const char *arg, int remote)
{
	int number = option % OFF;
	const char *wanted = option < OFF ? "on" : "off";

	(void)arg; (void)remote;
	if (value[number] && strcmp(value[number], wanted))
		FAIL("both --%s and --%s were specified", option_name(number), option_name(number + OFF));
	free(value[number]);
	value[number] = strdup(wanted);
	return 0;
}

/* What pyxis prints around enroot's own words; `log` is a line of those, or nothing. */
static int fail_framed(const char *what, const char *log)
{
	slurm_error("pyxis: child %d failed with error code: 1", (int)getpid());
	slurm_error("pyxis: %s", what);
	slurm_error("pyxis: printing enroot log file:");
	if (log) slurm_error("pyxis:     %s", log);
	return -1;
}

static int is_on(int number) { return value[number] && !strcmp(value[number], "on"); }

struct mount_entry { char *source, *target, *flags; };

/* Splits one SRC[:DST[:FLAGS]] in place, by pyxis's rules. */
static int parse_mount(char *text, struct mount_entry *entry)
{
	char *whole = strdupa(text), *rest = text;

	entry->source = entry->target = strsep(&rest, ":");
	entry->flags = NULL;
	if (!*entry->source) FAIL("--container-mounts: invalid format: %s", whole);
	if (rest) {
		entry->target = strsep(&rest, ":");
		if (!*entry->target) FAIL("--container-mounts: invalid format: %s", whole);
		if (rest && *rest) entry->flags = rest;
	}
	if (!strspn(entry->source, "./") && strcmp(entry->source, "tmpfs") && strcmp(entry->source, "umount"))
		FAIL("mount source must be a relative path, an absolute path, \"tmpfs\" or \"umount\"");
	if (!strspn(entry->target, "./")) FAIL("mount target must be a relative path or an absolute path");
	return 0;
}

static int on_mounts(int option, const char *arg, int remote)
{
	char *copy, *rest, *one;
	struct mount_entry entry;
	int rc = 0;

	(void)remote;
	if (!arg || !*arg) FAIL("--container-mounts: argument required");
	rest = copy = strdup(arg);
	while (!rc && (one = strsep(&rest, ","))) rc = parse_mount(one, &entry);
	free(copy);
	if (rc) FAIL("could not add mount entry: %s", arg);
	free(value[option]);
	value[option] = strdup(arg);
	return 0;
}

int slurm_spank_init(spank_t sp, int argc, char **argv)
{
	spank_context_t context = spank_context();

	if (context != S_CTX_LOCAL && context != S_CTX_REMOTE) return 0;
	for (int i = 0; i < argc; i++)
		if (!strncmp(argv[i], "scratch=", 8) && snprintf(scratch, sizeof scratch, "%s", argv[i] + 8) >= (int)sizeof scratch)
			FAIL("path too long: %s", argv[i] + 8);
	for (int i = 0; options[i].name; i++)
		if (spank_option_register(sp, &options[i]) != ESPANK_SUCCESS) FAIL("couldn't register option %s", options[i].name);
	return 0;
}

/* File access with the job owner's rights until act_as_root(): also drops the capability to pass by permissions. */
static void act_as_user(spank_t sp)
{
	uid_t uid = 0; gid_t gid = 0, *groups = NULL; int count = 0;

	spank_get_item(sp, S_JOB_UID, &uid);
	spank_get_item(sp, S_JOB_GID, &gid);
	if (spank_get_item(sp, S_JOB_SUPPLEMENTARY_GIDS, &groups, &count) == ESPANK_SUCCESS && groups) setgroups(count, groups);
	setfsgid(gid);
	setfsuid(uid);
}
static void act_as_root(void) { setfsuid(0); setfsgid(0); }

/* A path as seen from the job's directory, which is this process's directory in task_init_privileged. */
static int job_path(const char *path, char *out, size_t size)
{
	char cwd[PATH_MAX];

	if (path[0] == '/') return snprintf(out, size, "%s", path) < (int)size ? 0 : -1;
	if (!getcwd(cwd, sizeof cwd)) return -1;
	return snprintf(out, size, "%s/%s", cwd, path) < (int)size ? 0 : -1;
}

/* Makes `path` (absolute) as a directory or an empty file, with its parents. */
static int make_mount_point(const char *path, int is_directory)
{
	char part[PATH_MAX];

	if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part) return -1;
	for (char *s = part + 1; (s = strchr(s, '/')); s++) { *s = 0; mkdir(part, 0755); *s = '/'; }
	if (is_directory) mkdir(part, 0755);
	else close(open(part, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	return access(part, F_OK);
}

/* The kernel frees the loop device when the namespace that holds the mount is gone. */
static int mount_squashfs(int image, const char *target)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), rc = -1;
	struct loop_config config = { .fd = image, .info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR };
	char device[64];

	if (control < 0) return -1;
	/* Another step may take the free device first: then ask for the next. */
	for (int attempt = 0; attempt < 256 && rc < 0; attempt++) {
		snprintf(device, sizeof device, "/dev/loop%d", ioctl(control, LOOP_CTL_GET_FREE));
		int loop = open(device, O_RDONLY | O_CLOEXEC);
		if (loop < 0) continue;
		int configured = ioctl(loop, LOOP_CONFIGURE, &config), why = errno;
		if (!configured) rc = mount(device, target, "squashfs", MS_RDONLY | MS_NODEV | MS_NOSUID, NULL);
		if (!configured) why = errno;
		close(loop);
		if (rc < 0 && why != EBUSY) { errno = why; break; }
	}
	close(control);
	return rc;
}

static int is_listed(const char *list, const char *name, size_t length)
{
	for (const char *s = list; s && *s; s = strchr(s, ',') ? strchr(s, ',') + 1 : NULL)
		if (!strncmp(s, name, length) && (s[length] == ',' || !s[length])) return 1;
	return 0;
}

static void set_from_image(spank_t sp, const char *name, const char *text)
{
	spank_setenv(sp, name, text, !is_listed(value[ENV], name, strlen(name)));
}

/* Lines NAME=VALUE, the form in which enroot keeps an image's ENV. */
static void import_environment(spank_t sp, const char *root)
{
	static const char *dropped[] = { "LANG", "LANGUAGE", "LC_ALL", NULL };
	char path[400], line[65536], *equals;
	FILE *file;

	for (int i = 0; dropped[i]; i++)
		if (!is_listed(value[ENV], dropped[i], strlen(dropped[i]))) spank_unsetenv(sp, dropped[i]);
	set_from_image(sp, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	snprintf(path, sizeof path, "%s/etc/environment", root);
	if (!(file = fopen(path, "re"))) return;
	while (fgets(line, sizeof line, file)) {
		line[strcspn(line, "\n")] = 0;
		if (!(equals = strchr(line, '=')) || equals == line) continue;
		*equals = 0;
		set_from_image(sp, line, equals + 1);
	}
	fclose(file);
}

static int mount_one(spank_t sp, const char *root, const struct mount_entry *entry)
{
	static const char *harmless[] = { "rw", "bind", "rbind", "private", "rprivate", "slave", "rslave", NULL };
	char source[PATH_MAX], target[PATH_MAX], *flags = strdupa(entry->flags ? entry->flags : ""), *flag, *rest;
	unsigned long restrict_to = 0;
	struct stat st;

	for (flag = strtok_r(flags, "+", &rest); flag; flag = strtok_r(NULL, "+", &rest)) {
		int known = 0;
		for (int i = 0; harmless[i]; i++) known |= !strcmp(flag, harmless[i]);
		if (!strcmp(flag, "ro")) restrict_to |= MS_RDONLY;
		else if (!strcmp(flag, "nosuid")) restrict_to |= MS_NOSUID;
		else if (!strcmp(flag, "nodev")) restrict_to |= MS_NODEV;
		else if (!strcmp(flag, "noexec")) restrict_to |= MS_NOEXEC;
		else if (!known) FAIL("--container-mounts: mount flag not known here: %s", flag);
	}
	if (!strcmp(entry->source, "umount")) FAIL("--container-mounts: umount is not supported here");
	if (strstr(entry->target, "..") || snprintf(target, sizeof target, "%s/%s", root, entry->target) >= (int)sizeof target)
		FAIL("--container-mounts: target not supported here: %s", entry->target);
	if (!strcmp(entry->source, "tmpfs")) {
		if (make_mount_point(target, 1) || mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV | restrict_to, "mode=1777"))
			FAIL("couldn't mount a tmpfs on %s: %s", entry->target, strerror(errno));
		return 0;
	}
	if (job_path(entry->source, source, sizeof source)) FAIL("--container-mounts: path too long: %s", entry->source);
	act_as_user(sp);
	int missing = stat(source, &st), why = errno;
	act_as_root();
	if (missing && (why == ENOENT || why == ENOTDIR)) FAIL("--container-mounts: source path does not exist: %s", source);
	if (missing) FAIL("couldn't mount %s: %s", source, strerror(why));
	if (make_mount_point(target, S_ISDIR(st.st_mode)) || mount(source, target, NULL, MS_BIND | MS_REC, NULL))
		FAIL("couldn't mount %s on %s: %s", source, entry->target, strerror(errno));
	if (restrict_to && mount(NULL, target, NULL, MS_BIND | MS_REMOUNT | restrict_to, NULL))
		FAIL("couldn't remount %s: %s", entry->target, strerror(errno));
	return 0;
}

/* Mount points are made under the new root before the chroot: an image must hold no absolute symlink on their way. */
static int enter_container(spank_t sp)
{
	static const char *of_host[][2] = {
		{ "/proc", NULL }, { "/sys", NULL }, { "/dev", NULL }, { "/etc/resolv.conf", "ro" }, { "/etc/hosts", "ro" },
		{ "/etc/passwd", "ro" }, { "/etc/group", "ro" }, { NULL, NULL },
	};
	char what[PATH_MAX + 64], log[PATH_MAX + 64];
	char lower[300], upper[300], work[300], root[300], layers[1000], image[PATH_MAX], target[PATH_MAX], cwd[PATH_MAX];
	struct mount_entry entry;
	struct stat st;

	if (value[SAVE]) FAIL("--container-save is not supported here");
	if (value[UNSHARE]) FAIL("--container-unshare is not supported here");
	if (!strspn(value[IMAGE], "./")) {
		slurm_spank_log("pyxis: importing docker image: %s", value[IMAGE]);
		snprintf(what, sizeof what, "failed to import docker image: %s", value[IMAGE]);
		snprintf(log, sizeof log, "[ERROR] %s cannot be pulled here: give a local image with / or ./", value[IMAGE]);
		return fail_framed(what, log);
	}
	if (job_path(value[IMAGE], image, sizeof image)) FAIL("path too long: %s", value[IMAGE]);
	act_as_user(sp);
	int fd = open(image, O_RDONLY | O_CLOEXEC), why = errno;
	act_as_root();
	snprintf(what, sizeof what, "failed to create container filesystem for image: %s", value[IMAGE]);
	if (fd < 0 || fstat(fd, &st)) {
		snprintf(log, sizeof log, "[ERROR] %s: %s", strerror(why), image);
		return fail_framed(what, log);
	}

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL)) FAIL("couldn't unshare: %s", strerror(errno));
	if (mount("tmpfs", scratch, "tmpfs", 0, "mode=755")) FAIL("couldn't mount a tmpfs on %s: %s", scratch, strerror(errno));
	snprintf(lower, sizeof lower, "%s/lower", scratch); mkdir(lower, 0755);
	snprintf(upper, sizeof upper, "%s/upper", scratch); mkdir(upper, 0755);
	snprintf(work, sizeof work, "%s/work", scratch); mkdir(work, 0755);
	snprintf(root, sizeof root, "%s/root", scratch); mkdir(root, 0755);
	if (S_ISDIR(st.st_mode) ? mount(image, lower, NULL, MS_BIND, NULL) : mount_squashfs(fd, lower)) {
		snprintf(log, sizeof log, "[ERROR] Invalid image format: %s", image);
		return fail_framed(what, log);
	}
	close(fd);
	/* The upper layer takes the mount points that a read-only image lacks. */
	snprintf(layers, sizeof layers, "lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work);
	if (mount("overlay", root, "overlay", MS_NODEV | MS_NOSUID, layers)) FAIL("couldn't mount the overlay: %s", strerror(errno));
	import_environment(sp, root);

	entry = (struct mount_entry){ "tmpfs", "/tmp", NULL };
	if (mount_one(sp, root, &entry)) return -1;
	for (int i = 0; of_host[i][0]; i++) {
		entry = (struct mount_entry){ (char *)of_host[i][0], (char *)of_host[i][0], (char *)of_host[i][1] };
		if (!access(entry.source, F_OK) && mount_one(sp, root, &entry)) return -1;
	}
	if (is_on(HOME) && spank_getenv(sp, "HOME", cwd, sizeof cwd) == ESPANK_SUCCESS) {
		entry = (struct mount_entry){ cwd, cwd, NULL };
		if (mount_one(sp, root, &entry)) return -1;
	}
	if (value[MOUNTS]) {
		char *rest = strdupa(value[MOUNTS]), *one;
		while ((one = strsep(&rest, ",")))
			if (parse_mount(one, &entry) || mount_one(sp, root, &entry)) { slurm_error("pyxis: couldn't start container"); return -1; }
	}
	/* slurmstepd itself goes to the job's directory again before task_init, which pyxis's users never see fail. */
	if (getcwd(cwd, sizeof cwd) && cwd[0] == '/' && snprintf(target, sizeof target, "%s%s", root, cwd) < (int)sizeof target)
		make_mount_point(target, 1);
	if (!is_on(WRITABLE) && mount(NULL, root, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL))
		FAIL("couldn't make the root read-only: %s", strerror(errno));
	if (chdir(root) || mount(root, "/", NULL, MS_MOVE, NULL) || chroot(".")) FAIL("couldn't enter the container: %s", strerror(errno));
	return 0;
}

int slurm_spank_task_init_privileged(spank_t sp, int argc, char **argv)
{
	(void)argc; (void)argv;
	if (value[IMAGE]) enter_rc = enter_container(sp);
	/* pyxis fails in task_init, and slurmstepd names the hook in its own message: so fail there. */
	return 0;
}

int slurm_spank_task_init(spank_t sp, int argc, char **argv)
{
	const char *directory = value[WORKDIR] ? value[WORKDIR] : "/";

	(void)argc; (void)argv;
	if (!value[IMAGE]) return 0;
	if (enter_rc) return -1;
	if (chdir(directory)) FAIL("couldn't chdir to %s: %s", directory, strerror(errno));
	spank_setenv(sp, "PWD", directory, 1);
	return 0;
}
