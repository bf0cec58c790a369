/*
 * ngx_http_integrity_files.c: files as the configuration names them: those
 * that hold secrets, read once and refused where others could read them too,
 * and those of the audit log, which nobody else may write to.
 * Owns nothing: the caller wipes the text.  Called by the directives, and at
 * the end of http.
 */

#include "ngx_http_integrity.h"

#define NGX_HTTP_INTEGRITY_PRIVATE_MAX  65536


/* -- secrets ------------------------------------------------------------- */

static ngx_int_t
ngx_http_integrity_private_mode(ngx_conf_t *cf, ngx_str_t *directive,
    ngx_str_t *name, ngx_uint_t mode)
{
    u_char      digits[4];
    ngx_uint_t  i;

    if ((mode & (S_IROTH|S_IWOTH|S_IXOTH)) == 0) {
        return NGX_OK;
    }

    for (i = 0; i < 4; i++) {
        digits[i] = (u_char) ('0' + ((mode >> (9 - 3 * i)) & 7));
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "%V: \"%V\" can be read by others: its mode is %*s, "
                       "0600 or 0640 would be right", directive, name,
                       (size_t) 4, digits);
    return NGX_ERROR;
}


static ngx_int_t
ngx_http_integrity_read_fd(ngx_conf_t *cf, ngx_str_t *directive, ngx_fd_t fd,
    ngx_str_t *name, ngx_str_t *text)
{
    off_t            size;
    ssize_t          n;
    ngx_file_info_t  fi;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "%V: " ngx_fd_info_n " \"%V\" failed", directive,
                           name);
        return NGX_ERROR;
    }

    if (!ngx_is_file(&fi)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%V: \"%V\" is not a regular file", directive,
                           name);
        return NGX_ERROR;
    }

    if (ngx_http_integrity_private_mode(cf, directive, name, fi.st_mode)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    size = ngx_file_size(&fi);

    if (size > NGX_HTTP_INTEGRITY_PRIVATE_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%V: \"%V\" is larger than 64 KiB", directive,
                           name);
        return NGX_ERROR;
    }

    text->data = ngx_pnalloc(cf->pool, (size_t) size + 1);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, text->data, (size_t) size);

    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "%V: " ngx_read_fd_n " \"%V\" failed", directive,
                           name);
        return NGX_ERROR;
    }

    text->len = n;

    return NGX_OK;
}


ngx_int_t
ngx_http_integrity_read_private(ngx_conf_t *cf, ngx_str_t *directive,
    ngx_str_t *name, ngx_str_t *text)
{
    ngx_fd_t   fd;
    ngx_int_t  rc;

    if (ngx_conf_full_name(cf->cycle, name, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    fd = ngx_open_file(name->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "%V: " ngx_open_file_n " \"%V\" failed", directive,
                           name);
        return NGX_ERROR;
    }

    rc = ngx_http_integrity_read_fd(cf, directive, fd, name, text);

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", name);
    }

    return rc;
}


/* -- audit files --------------------------------------------------------- */

/*
 * What nginx would find out later, without saying where, or, of a FIFO, by
 * waiting for a reader.
 */

static ngx_int_t
ngx_http_integrity_audit_try(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_fd_t         fd;
    ngx_file_info_t  fi;

    if (ngx_file_info(name->data, &fi) != NGX_FILE_ERROR
        && !ngx_is_file(&fi))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "integrity_audit: \"%V\" is not a regular file",
                           name);
        return NGX_ERROR;
    }

    fd = ngx_open_file(name->data, NGX_FILE_APPEND, NGX_FILE_CREATE_OR_OPEN,
                       NGX_FILE_DEFAULT_ACCESS);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "integrity_audit: " ngx_open_file_n
                           " \"%V\" failed", name);
        return NGX_ERROR;
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", name);
    }

    return NGX_OK;
}


/*
 * Open files are shared by name, and the access log takes what hangs on one
 * for a buffer of its own.  Ours go by another name of the same file, so that
 * a log which is given the same one gets an entry of its own, and is seen.
 */

static ngx_open_file_t *
ngx_http_integrity_audit_entry(ngx_conf_t *cf, ngx_str_t *name)
{
    u_char     *p, *base;
    ngx_str_t   own;

    base = name->data + name->len;

    while (base > name->data && base[-1] != '/') {
        base--;
    }

    own.len = name->len + 2;
    own.data = ngx_pnalloc(cf->pool, own.len + 1);
    if (own.data == NULL) {
        return NULL;
    }

    p = ngx_cpymem(own.data, name->data, base - name->data);
    p = ngx_cpymem(p, "./", 2);
    p = ngx_cpymem(p, base, name->data + name->len - base);
    *p = '\0';

    return ngx_conf_open_file(cf->cycle, &own);
}


ngx_http_integrity_file_t *
ngx_http_integrity_audit_file(ngx_conf_t *cf, ngx_str_t name, ig_pos_t pos)
{
    ngx_uint_t                        i;
    ngx_open_file_t                  *file;
    ngx_http_integrity_file_t       **known, *own;
    ngx_http_integrity_main_conf_t   *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_integrity_module);

    if (ngx_conf_full_name(cf->cycle, &name, 0) != NGX_OK
        || ngx_http_integrity_audit_try(cf, &name) != NGX_OK)
    {
        return NULL;
    }

    file = ngx_http_integrity_audit_entry(cf, &name);
    if (file == NULL) {
        return NULL;
    }

    known = mcf->audit.elts;

    for (i = 0; i < mcf->audit.nelts; i++) {
        if (known[i]->file == file) {
            return known[i];
        }
    }

    own = ngx_palloc(cf->pool, sizeof(ngx_http_integrity_file_t));
    known = ngx_array_push(&mcf->audit);

    if (own == NULL || known == NULL) {
        return NULL;
    }

    own->file = file;
    own->name = name;
    own->index = mcf->audit.nelts - 1;
    own->pos = pos;

    file->flush = ngx_http_integrity_audit_flush_hook;
    file->data = own;

    *known = own;

    return own;
}


/* An open file of somebody else which is the one that `fi` is about. */

static ngx_uint_t
ngx_http_integrity_audit_shared(ngx_cycle_t *cycle, ngx_file_info_t *fi)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_open_file_t  *file;
    ngx_file_info_t   other;

    part = &cycle->open_files.part;
    file = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return 0;
            }

            part = part->next;
            file = part->elts;
            i = 0;
        }

        if (file[i].name.len != 0
            && file[i].flush != ngx_http_integrity_audit_flush_hook
            && ngx_file_info(file[i].name.data, &other) != NGX_FILE_ERROR
            && other.st_dev == fi->st_dev && other.st_ino == fi->st_ino)
        {
            return 1;
        }
    }
}


ngx_int_t
ngx_http_integrity_check_files(ngx_cycle_t *cycle,
    ngx_http_integrity_main_conf_t *mcf, ngx_log_t *log)
{
    ngx_uint_t                   i;
    const char                  *wrong;
    ngx_file_info_t              fi;
    ngx_http_integrity_file_t  **file;

    file = mcf->audit.elts;

    for (i = 0; i < mcf->audit.nelts; i++) {

        wrong = ngx_file_info(file[i]->name.data, &fi) == NGX_FILE_ERROR
                || !ngx_is_file(&fi)
                ? "is not a regular file"
                : ngx_http_integrity_audit_shared(cycle, &fi)
                ? "is written by another log too" : NULL;

        if (wrong != NULL) {
            ngx_log_error(NGX_LOG_EMERG, log, 0,
                          "integrity_audit: \"%V\" %s in %s:%ui",
                          &file[i]->name, wrong, file[i]->pos.file,
                          (ngx_uint_t) file[i]->pos.line);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
